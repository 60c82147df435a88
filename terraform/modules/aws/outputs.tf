output "api_url" {
  description = "Console and API."
  value       = "https://${var.api_domain}"
}

output "bootstrap_servers" {
  description = "Where clients of a cluster connect: its slug goes where {slug} is."
  value       = "{slug}.${var.kafka_domain}:${var.kafka_port}"
}

output "bucket" {
  description = "The bucket of records."
  value       = module.storage.bucket
}

output "database_address" {
  description = "The catalog's host name."
  value       = module.database.address
}

output "master_key_secret_arn" {
  description = "Where the master key is. Keep a copy of it elsewhere: whoever loses it loses every credential."
  value       = module.secrets.master_key_secret_arn
}

output "log_groups" {
  description = "Where broker and control plane log."
  value       = { broker = module.broker.log_group_name, control = module.control_plane.log_group_name }
}

output "autoscaling_groups" {
  description = "The groups that keep broker and control plane running."
  value       = { broker = module.broker.autoscaling_group_name, control = module.control_plane.autoscaling_group_name }
}

output "cloud_configs" {
  description = "How the machines set themselves up. No secrets are in it."
  value       = { broker = module.broker.cloud_config, control = module.control_plane.cloud_config }
}

output "policies" {
  description = "What the machines may do, as JSON."
  value       = { broker = module.broker.policy, control = module.control_plane.policy }
}
