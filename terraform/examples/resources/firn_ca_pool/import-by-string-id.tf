import {
  to = firn_ca_pool.devices
  id = "clu_abcdefghijklmnopqrstuvwxyz/cap_abcdefghijklmnopqrstuvwxyz"
}
