list "firn_topic" "all" {
  provider         = firn
  include_resource = true
  config {
    cluster = "clu_abcdefghijklmnopqrstuvwxyz"
  }
}
