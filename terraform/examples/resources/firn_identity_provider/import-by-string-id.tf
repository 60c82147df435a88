import {
  to = firn_identity_provider.login
  id = "clu_abcdefghijklmnopqrstuvwxyz/iss_abcdefghijklmnopqrstuvwxyz"
}
