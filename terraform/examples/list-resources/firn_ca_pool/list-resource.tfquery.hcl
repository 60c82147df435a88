list "firn_ca_pool" "all" {
  provider = firn
  config {
    cluster = "clu_abcdefghijklmnopqrstuvwxyz"
  }
}
