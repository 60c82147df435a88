import {
  to = firn_topic.orders
  id = "clu_abcdefghijklmnopqrstuvwxyz/orders"
}
