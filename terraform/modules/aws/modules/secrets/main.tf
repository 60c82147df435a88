# The key that encrypts, the master key of the cell, and the password of its database. Both secrets are made while Terraform applies, and
# written once: neither a plan nor the state ever holds them.

resource "aws_kms_key" "this" {
  description             = "Firn ${var.name}: records, catalog and secrets"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}

ephemeral "aws_secretsmanager_random_password" "master_key" {
  password_length     = 64
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "master_key" {
  name                    = "${var.name}/master-key"
  description             = "The master key of the cell: whoever loses it loses every credential"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = 30

  lifecycle {
    prevent_destroy = true
  }
}

# 64 hexadecimal digits out of 64 random letters and digits. The version stays 1 for ever: another one would be another key, and no
# credential of the cell would open again.
resource "aws_secretsmanager_secret_version" "master_key" {
  secret_id                = aws_secretsmanager_secret.master_key.id
  secret_string_wo         = sha256(ephemeral.aws_secretsmanager_random_password.master_key.random_password)
  secret_string_wo_version = 1

  lifecycle {
    prevent_destroy = true
  }
}

ephemeral "aws_secretsmanager_random_password" "database" {
  password_length     = 40
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "database_password" {
  name        = "${var.name}/database-password"
  description = "The password of the catalog's database"
  kms_key_id  = aws_kms_key.this.arn
}

resource "aws_secretsmanager_secret_version" "database_password" {
  secret_id                = aws_secretsmanager_secret.database_password.id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.database.random_password
  secret_string_wo_version = var.database_password_version
}

# Read again rather than handed on: after an apply that was cut off, the next one makes another random password, but writes none.
ephemeral "aws_secretsmanager_secret_version" "database_password" {
  secret_id = aws_secretsmanager_secret_version.database_password.secret_id
}
