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
  description = "Each program's service account, what ACLs call it, and the SCRAM user name that goes with each version of its password."
  value = { for name, account in firn_service_account.this : name => {
    id        = account.id
    principal = account.principal
    usernames = { for version in var.programs[name].password_versions : version => firn_scram_credential.this["${name} ${version}"].username }
  } }
}

output "topics" {
  description = "Each topic's partitions."
  value       = { for name, topic in firn_topic.this : name => topic.partitions }
}
