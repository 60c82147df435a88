locals {
  key = provider::firn::api_key(firn_api_key.ci.id, ephemeral.firn_api_key_secret.ci.result)
}
