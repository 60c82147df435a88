list "firn_acl" "all" {
  provider = firn
  config {
    cluster = "clu_abcdefghijklmnopqrstuvwxyz"
  }
}
