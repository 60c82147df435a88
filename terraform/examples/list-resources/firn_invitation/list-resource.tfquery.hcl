list "firn_invitation" "all" {
  provider = firn
  config {
    organization = "org_abcdefghijklmnopqrstuvwxyz"
  }
}
