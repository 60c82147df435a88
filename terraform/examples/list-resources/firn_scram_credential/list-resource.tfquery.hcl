list "firn_scram_credential" "all" {
  provider = firn
  config {
    cluster = "clu_abcdefghijklmnopqrstuvwxyz"
  }
}
