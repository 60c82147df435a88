import {
  to = firn_scram_credential.checkout
  id = "clu_abcdefghijklmnopqrstuvwxyz/scr_abcdefghijklmnopqrstuvwxyz"
}
