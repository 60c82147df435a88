// How to connect, as the FIRN_TEST_* variables want it. tests/clients/README.md describes them.
'use strict';

const fs = require('node:fs');

function security() {
  const {
    FIRN_TEST_SECURITY: protocol = 'plaintext',
    FIRN_TEST_MECHANISM: mechanism,
    FIRN_TEST_USERNAME: username,
    FIRN_TEST_PASSWORD: password,
    FIRN_TEST_CA_FILE: authority,
  } = process.env;
  const settings = {};
  if (protocol.toUpperCase().endsWith('SSL')) settings.ssl = { ca: [fs.readFileSync(authority, 'utf8')] };
  if (protocol.toUpperCase().startsWith('SASL')) {
    settings.sasl = { mechanism: mechanism.toLowerCase(), username, password };
  }
  return settings;
}

module.exports = { security };
