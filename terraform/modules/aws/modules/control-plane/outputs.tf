output "load_balancer" {
  description = "The load balancer's own name and zone, for DNS."
  value       = { dns_name = aws_lb.api.dns_name, zone_id = aws_lb.api.zone_id }
}

output "security_group_id" {
  description = "The machines' security group."
  value       = module.machine.security_group_id
}

output "autoscaling_group_name" {
  description = "The group that keeps them running."
  value       = module.machine.autoscaling_group_name
}

output "log_group_name" {
  description = "Where they log."
  value       = module.machine.log_group_name
}

output "cloud_config" {
  description = "How a machine sets itself up. No secrets are in it."
  value       = module.machine.cloud_config
}

output "policy" {
  description = "What a machine may do, as JSON."
  value       = module.machine.policy
}

output "metric_dimensions" {
  description = "The load balancer and its group, as CloudWatch names them."
  value       = { load_balancer = aws_lb.api.arn_suffix, target_group = aws_lb_target_group.api.arn_suffix }
}
