output "address" {
  description = "Its host name, which leads to the standby after a failover."
  value       = aws_db_instance.this.address
}

output "port" {
  description = "Its port."
  value       = aws_db_instance.this.port
}

output "url_without_password" {
  description = "The catalog's URL, checked against Amazon's authorities; the password goes where %s is."
  value       = "postgres://${aws_db_instance.this.username}:%s@${aws_db_instance.this.address}:${aws_db_instance.this.port}/${aws_db_instance.this.db_name}?sslmode=verify-full&sslrootcert=/etc/firn/rds-ca.pem"
}

output "identifier" {
  description = "What RDS and CloudWatch call it."
  value       = aws_db_instance.this.identifier
}
