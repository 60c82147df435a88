list "firn_role_binding" "all" {
  provider = firn
  config {
    organization = "org_abcdefghijklmnopqrstuvwxyz"
  }
}
