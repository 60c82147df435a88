list "firn_service_account" "all" {
  provider = firn
  config {
    project = "prj_abcdefghijklmnopqrstuvwxyz"
  }
}
