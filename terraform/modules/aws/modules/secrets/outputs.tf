output "kms_key_arn" {
  description = "The key that encrypts records, catalog and secrets."
  value       = aws_kms_key.this.arn
}

output "master_key_secret_arn" {
  description = "Where the master key is."
  value       = aws_secretsmanager_secret_version.master_key.arn
}

output "database_password_secret_arn" {
  description = "Where the database's password is; known once there is one in it."
  value       = aws_secretsmanager_secret_version.database_password.arn
}

output "database_password_version" {
  description = "Which password that is."
  value       = aws_secretsmanager_secret_version.database_password.secret_string_wo_version
}

output "database_password" {
  description = "The password itself, while Terraform runs; in no plan and no state."
  value       = ephemeral.aws_secretsmanager_secret_version.database_password.secret_string
  ephemeral   = true
}
