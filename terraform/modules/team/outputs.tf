output "project_id" {
  description = "The project, prj_…."
  value       = firn_project.this.id
}

output "cluster_id" {
  description = "The cluster, clu_…."
  value       = firn_cluster.this.id
}

output "bootstrap_servers" {
  description = "What Kafka clients connect to first."
  value       = firn_cluster.this.bootstrap
}

output "programs" {
  description = "Each program's service account, what ACLs call it, and its SCRAM user name if it has a password."
  value = { for name, account in firn_service_account.this : name => {
    id        = account.id
    principal = account.principal
    username  = try(firn_scram_credential.this[name].username, null)
  } }
}

output "topics" {
  description = "Each topic's partitions."
  value       = { for name, topic in firn_topic.this : name => topic.partitions }
}
