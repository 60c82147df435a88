import {
  to = firn_service_account.checkout
  id = "sa_abcdefghijklmnopqrstuvwxyz"
}
