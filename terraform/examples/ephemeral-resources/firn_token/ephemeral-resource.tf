ephemeral "firn_token" "ours" {}

# For another provider that speaks to Firn's API, for ten minutes.
provider "http" {
  request_headers = {
    Authorization = "Bearer ${ephemeral.firn_token.ours.access_token}"
  }
}
