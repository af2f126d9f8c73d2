/** Property tests use the same values each time, so that a run means the same everywhere; FC_SEED=<number> looks elsewhere. */
import fc from 'fast-check'

fc.configureGlobal({ seed: Number(process.env['FC_SEED'] ?? 20_040_101) })
