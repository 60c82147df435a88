import {
  to = firn_cluster.orders
  id = "clu_abcdefghijklmnopqrstuvwxyz"
}
