list "firn_quota" "all" {
  provider = firn
  config {
    cluster = "clu_abcdefghijklmnopqrstuvwxyz"
  }
}
