resource "aws_ssm_parameter" "client" {
  name = "/checkout/client.properties"
  type = "SecureString"
  value_wo = provider::firn::client_properties(
    firn_cluster.orders.bootstrap,
    "SCRAM-SHA-512",
    firn_scram_credential.checkout.username,
    ephemeral.firn_password.checkout.result,
  )
  value_wo_version = firn_scram_credential.checkout.password_wo_version
}
