ephemeral "firn_token" "ours" {}

# For ten minutes, a token in place of the key: here in the configuration of another provider, which is in no plan and no state either.
provider "firn" {
  alias   = "briefly"
  api_key = ephemeral.firn_token.ours.access_token
}
