# Build: all of npm's packages, TypeScript to dist/.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY vendor ./vendor
RUN npm ci --omit=optional
COPY . .
RUN npm run build && npm prune --omit=dev --omit=optional

# Run: compiled code and what it needs, nothing else.
FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/vendor ./vendor
COPY --from=build /app/dist ./dist
COPY --from=build /app/bin ./bin
RUN ln -s /app/bin/msn-bridge.js /usr/local/bin/msn-bridge \
    && install -d -o node -g node -m 0700 /data

USER node
# config.yaml, if there is one, lies in here, and `data: .` keeps everything else beside it. Without one the defaults
# apply and the data is in /data/data.
WORKDIR /data
VOLUME /data
# Notification server with switchboards, login page; IRC gateway without and with TLS; events from a Matrix homeserver, links to files. Inside a container they
# listen on 0.0.0.0 only if the config says so.
EXPOSE 1863 1443 6667 6697 29333 29334

# The admin page listens on loopback inside the container, where the check runs, too. Another port: set ADMIN_URL.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["node", "-e", "fetch((process.env.ADMIN_URL ?? 'http://127.0.0.1:8090') + '/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]

CMD ["node", "/app/dist/main.js", "run"]
