# A cell of Firn on AWS: one network, one bucket, one database, one broker, and the control plane.

module "network" {
  source = "./modules/network"

  name                = var.name
  cidr                = var.cidr
  zones               = var.zones
  nat_gateways        = var.nat_gateways
  interface_endpoints = var.interface_endpoints
  data_bucket_arn     = "arn:aws:s3:::${var.bucket}"
  readable_buckets    = ["arn:aws:s3:::${var.binary.bucket}"]
}

module "secrets" {
  source = "./modules/secrets"

  name                      = var.name
  database_password_version = var.database.password_version
}

module "storage" {
  source = "./modules/storage"

  bucket         = var.bucket
  kms_key_arn    = module.secrets.kms_key_arn
  s3_endpoint_id = module.network.s3_endpoint_id
}

module "database" {
  source = "./modules/database"

  name                   = var.name
  vpc_id                 = module.network.vpc_id
  subnet_ids             = module.network.database_subnet_ids
  kms_key_arn            = module.secrets.kms_key_arn
  password               = module.secrets.database_password
  password_version       = module.secrets.database_password_version
  client_security_groups = { broker = module.broker.security_group_id, control = module.control_plane.security_group_id }
  instance_class         = var.database.instance_class
  engine_version         = var.database.engine_version
  storage_gib            = var.database.storage_gib
  backup_retention_days  = var.database.backup_retention_days
  deletion_protection    = var.deletion_protection
}

module "broker" {
  source = "./modules/broker"

  name                     = var.name
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.private_subnet_ids
  load_balancer_subnet_ids = var.kafka_internal ? module.network.private_subnet_ids : module.network.public_subnet_ids
  internal                 = var.kafka_internal
  client_networks          = var.kafka_client_networks
  control_security_groups  = { control = module.control_plane.security_group_id }

  kafka_domain        = var.kafka_domain
  kafka_port          = var.kafka_port
  bucket              = module.storage.bucket
  catalog_url         = module.database.url_without_password
  catalog_backup_days = var.database.backup_retention_days
  kms_key_arn         = module.secrets.kms_key_arn
  secrets = {
    database_password = module.secrets.database_password_secret_arn
    master_key        = module.secrets.master_key_secret_arn
    kafka_certificate = var.kafka_certificate_secret_arn
  }

  binary              = var.binary
  image_parameter     = var.image_parameter
  instance_type       = var.broker.instance_type
  cache_gib           = var.broker.cache_gib
  settings            = var.broker.settings
  kafka_settings      = var.broker.kafka_settings
  log_retention_days  = var.log_retention_days
  session_manager     = var.session_manager
  deletion_protection = var.deletion_protection
}

module "control_plane" {
  source = "./modules/control-plane"

  name                     = var.name
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.private_subnet_ids
  load_balancer_subnet_ids = module.network.public_subnet_ids
  load_balancer_cidrs      = module.network.public_subnet_cidrs
  client_networks          = var.api_client_networks
  certificate_arn          = module.dns.certificate_arn

  api_domain   = var.api_domain
  kafka_domain = var.kafka_domain
  kafka_port   = var.kafka_port
  mail_from    = var.mail_from
  catalog_url  = module.database.url_without_password
  kms_key_arn  = module.secrets.kms_key_arn
  secrets = {
    database_password = module.secrets.database_password_secret_arn
    master_key        = module.secrets.master_key_secret_arn
    smtp_url          = var.smtp_url_secret_arn
  }

  binary              = var.binary
  image_parameter     = var.image_parameter
  instance_type       = var.control.instance_type
  instances           = var.control.instances
  settings            = var.control.settings
  log_retention_days  = var.log_retention_days
  session_manager     = var.session_manager
  deletion_protection = var.deletion_protection
}

module "dns" {
  source = "./modules/dns"

  zone_id             = var.zone_id
  api_domain          = var.api_domain
  kafka_domain        = var.kafka_domain
  api_load_balancer   = module.control_plane.load_balancer
  kafka_load_balancer = module.broker.load_balancer
}

module "alarms" {
  source = "./modules/alarms"
  count  = length(var.alarm_topic_arns) == 0 ? 0 : 1

  name       = var.name
  topic_arns = var.alarm_topic_arns
  kafka      = module.broker.metric_dimensions
  api        = module.control_plane.metric_dimensions
  database   = module.database.identifier
}
