# Made on this machine, in no plan and in no state.
ephemeral "firn_password" "checkout" {}

# Kept where the program reads it: any attribute that is write-only.
resource "aws_secretsmanager_secret_version" "checkout" {
  secret_id                = aws_secretsmanager_secret.checkout.id
  secret_string_wo         = ephemeral.firn_password.checkout.result
  secret_string_wo_version = 1
}

# Read again rather than handed on: after an apply that was cut off, the next one makes another password, but keeps none.
ephemeral "aws_secretsmanager_secret_version" "checkout" {
  secret_id = aws_secretsmanager_secret_version.checkout.secret_id
}

resource "firn_scram_credential" "checkout" {
  cluster             = firn_cluster.orders.id
  service_account     = firn_service_account.checkout.id
  password_wo         = ephemeral.aws_secretsmanager_secret_version.checkout.secret_string
  password_wo_version = aws_secretsmanager_secret_version.checkout.secret_string_wo_version

  # A higher version makes the next password first, and revokes this one at the end of the same apply.
  lifecycle {
    create_before_destroy = true
  }
}
