list "firn_cluster" "all" {
  provider = firn
  config {
    project = "prj_abcdefghijklmnopqrstuvwxyz"
  }
}
