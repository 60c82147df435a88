data "firn_api_key" "ci" {
  id = "key_abcdefghijklmnopqrstuvwxyz"
}
