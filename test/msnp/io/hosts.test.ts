import { describe, expect, it } from 'vitest'
import { isPrivateAddress, isSameOrganisation } from '../../../msnp/io/hosts.ts'

describe('private addresses', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1%eth0',
    'fd00::1',
    '::ffff:10.0.0.1',
    '::ffff:a9fe:a9fe',
    '::ffff:0:10.0.0.1',
    '::127.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::1',
    '2002:7f00:1::1',
    '2002:c0a8:101::1',
    'fec0::1',
  ])('%s is one', (address) => expect(isPrivateAddress(address)).toBe(true))

  it.each([
    '8.8.8.8',
    '172.15.0.1',
    '172.32.0.1',
    '192.167.0.1',
    '2001:db8::1',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '2002:808:808::1',
    'localhost',
    'example.com',
    '',
  ])('%j is none', (address) => expect(isPrivateAddress(address)).toBe(false))
})

describe('where a password may go (docs/protocol.md, Passport)', () => {
  it.each([
    ['login.passport.com', 'login.passport.com'],
    ['LoginNet.Passport.com.', 'login.passport.com'],
    ['passport.com', 'login.passport.com'],
    ['a.b.passport.com', 'login.passport.com'],
    ['login.example.com', 'example.com'],
    ['127.0.0.1', '127.0.0.1'],
    ['login.msn.example.co.uk', 'nexus.msn.example.co.uk'],
  ])('to %s, when it is meant for %s', (host, trusted) => expect(isSameOrganisation(host, trusted)).toBe(true))

  it.each([
    ['passport.com.evil.example', 'login.passport.com'],
    ['notpassport.com', 'login.passport.com'],
    ['evil.com', 'example.com'],
    ['evil.co.uk', 'example.co.uk'],
    ['evil.com.au', 'example.com.au'],
    ['127.0.0.2', '127.0.0.1'],
    ['1.0.0.1', '127.0.0.1'],
    ['', 'example.com'],
    ['com', 'example.com'],
  ])('never to %s, when it is meant for %s', (host, trusted) => expect(isSameOrganisation(host, trusted)).toBe(false))
})
