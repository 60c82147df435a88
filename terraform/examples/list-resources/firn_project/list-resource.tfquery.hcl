list "firn_project" "all" {
  provider = firn
}
