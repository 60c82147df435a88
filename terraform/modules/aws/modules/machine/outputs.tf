output "security_group_id" {
  description = "The machines' security group."
  value       = aws_security_group.this.id
}

output "autoscaling_group_name" {
  description = "The group that keeps so many of them running."
  value       = aws_autoscaling_group.this.name
}

output "log_group_name" {
  description = "Where they log."
  value       = aws_cloudwatch_log_group.this.name
}

output "cloud_config" {
  description = "How a machine sets itself up, for whoever wants to read it. No secrets are in it."
  value       = local.cloud_config
}

output "policy" {
  description = "What machines may do, as JSON."
  value       = aws_iam_role_policy.this.policy
}
