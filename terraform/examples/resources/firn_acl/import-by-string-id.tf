import {
  to = firn_acl.checkout_writes
  id = "clu_abcdefghijklmnopqrstuvwxyz/acl_abcdefghijklmnopqrstuvwxyz"
}
