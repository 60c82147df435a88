import {
  to = firn_quota.checkout
  id = "clu_abcdefghijklmnopqrstuvwxyz/qta_abcdefghijklmnopqrstuvwxyz"
}
