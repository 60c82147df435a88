list "firn_api_key" "all" {
  provider = firn
  config {
    project = "prj_abcdefghijklmnopqrstuvwxyz"
  }
}
