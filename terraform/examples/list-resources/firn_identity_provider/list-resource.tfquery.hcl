list "firn_identity_provider" "all" {
  provider = firn
  config {
    cluster = "clu_abcdefghijklmnopqrstuvwxyz"
  }
}
