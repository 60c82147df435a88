# Machines that run firn: what they may do, how they are set up, and a group that replaces those that fail. Everything on them can be lost.

data "aws_region" "current" {}

data "aws_ssm_parameter" "image" {
  name = var.image_parameter
}

locals {
  binary_arn = "arn:aws:s3:::${var.binary.bucket}/${var.binary.key}"

  secret_arns = compact([
    var.secrets.database_password, var.secrets.master_key, var.secrets.smtp_url, var.secrets.kafka_certificate,
  ])

  settings = merge(
    {
      "data-dir"   = "/var/lib/firn"
      "master-key" = "/run/firn/master.key"
      "log-format" = "json"
    },
    var.role == "broker" ? { "tls-cert" = "/run/firn/tls.crt", "tls-key" = "/run/firn/tls.key" } : {},
    var.settings,
  )
  lines = [for key in sort(keys(local.settings)) : "${key} = ${jsonencode(local.settings[key])}"]
  kafka = [for key in sort(keys(var.kafka_settings)) : "${jsonencode(key)} = ${jsonencode(var.kafka_settings[key])}"]
  toml  = join("\n", concat(local.lines, length(local.kafka) == 0 ? [] : concat(["", "[kafka]"], local.kafka), [""]))

  values = {
    role        = var.role
    region      = data.aws_region.current.region
    log_group   = aws_cloudwatch_log_group.this.name
    catalog_url = var.catalog_url
    secrets     = { for name, arn in var.secrets : name => arn if arn != null }
    binary      = var.binary
  }

  files = {
    "/etc/firn/firn.toml"                          = { text = local.toml, mode = "0644" }
    "/etc/systemd/system/firn.service"             = { text = templatefile("${path.module}/templates/firn.service", local.values), mode = "0644" }
    "/etc/systemd/system/firn-certificate.service" = { text = file("${path.module}/templates/firn-certificate.service"), mode = "0644" }
    "/etc/systemd/system/firn-certificate.timer"   = { text = file("${path.module}/templates/firn-certificate.timer"), mode = "0644" }
    "/usr/local/sbin/firn-secrets"                 = { text = templatefile("${path.module}/templates/firn-secrets.sh", local.values), mode = "0755" }
    "/usr/local/sbin/firn-install"                 = { text = templatefile("${path.module}/templates/firn-install.sh", local.values), mode = "0755" }
    "/etc/logrotate.d/firn"                        = { text = file("${path.module}/templates/logrotate"), mode = "0644" }
    "/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json" = {
      text = templatefile("${path.module}/templates/cloudwatch-agent.json", local.values), mode = "0644"
    }
  }

  # JSON is YAML, so nothing has to be indented or quoted by hand.
  cloud_config = join("\n", ["#cloud-config", jsonencode({
    write_files = [for path in sort(keys(local.files)) : {
      path = path, permissions = local.files[path].mode, content = local.files[path].text
    } if var.role == "broker" || !strcontains(path, "firn-certificate")]
    runcmd = [["/usr/local/sbin/firn-install"]]
  })])
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/firn/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_iam_role" "this" {
  name_prefix = "${substr(var.name, 0, 30)}-"
  description = "Machines that run firn ${var.role}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "firn"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "Secrets"
          Effect   = "Allow"
          Action   = ["secretsmanager:GetSecretValue"]
          Resource = local.secret_arns
        },
        {
          Sid      = "SecretsKey"
          Effect   = "Allow"
          Action   = ["kms:Decrypt"]
          Resource = [var.kms_key_arn]
        },
        {
          Sid      = "Program"
          Effect   = "Allow"
          Action   = ["s3:GetObject"]
          Resource = [local.binary_arn]
        },
        {
          Sid      = "Log"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
          Resource = ["${aws_cloudwatch_log_group.this.arn}:*"]
        },
      ],
      var.policy_statements,
    )
  })
}

resource "aws_iam_role_policy_attachment" "session_manager" {
  count = var.session_manager ? 1 : 0

  role       = aws_iam_role.this.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "this" {
  name_prefix = "${substr(var.name, 0, 30)}-"
  role        = aws_iam_role.this.name
}

resource "aws_security_group" "this" {
  name_prefix = "${var.name}-"
  description = "Machines that run firn ${var.role}"
  vpc_id      = var.vpc_id

  tags = { Name = var.name }

  lifecycle {
    create_before_destroy = true
  }
}

# Out: the catalog, S3, secrets, identity providers, mail. What must not be reached by URLs that tenants give, firn itself refuses.
resource "aws_vpc_security_group_egress_rule" "all" {
  security_group_id = aws_security_group.this.id
  description       = "Everywhere"
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_launch_template" "this" {
  name_prefix            = "${var.name}-"
  image_id               = data.aws_ssm_parameter.image.insecure_value
  instance_type          = var.instance_type
  update_default_version = true
  ebs_optimized          = true
  vpc_security_group_ids = [aws_security_group.this.id]
  user_data              = base64gzip(local.cloud_config)

  iam_instance_profile {
    arn = aws_iam_instance_profile.this.arn
  }

  # Tokens only, and no further than this machine: what a process behind a proxy or in a container could be made to ask is not answered.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "disabled"
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = var.disk_gib
      encrypted             = "true"
      delete_on_termination = "true"
    }
  }

  monitoring {
    enabled = true
  }

  tag_specifications {
    resource_type = "instance"
    tags          = { Name = var.name }
  }
}

resource "aws_autoscaling_group" "this" {
  name_prefix               = "${var.name}-"
  min_size                  = var.instances
  max_size                  = var.replace_first ? var.instances * 2 : var.instances
  desired_capacity          = var.instances
  vpc_zone_identifier       = var.subnet_ids
  target_group_arns         = var.target_group_arns
  health_check_type         = "ELB"
  health_check_grace_period = 300
  wait_for_capacity_timeout = "15m"
  termination_policies      = ["OldestInstance"]

  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }

  instance_refresh {
    strategy = "Rolling"

    preferences {
      min_healthy_percentage = var.replace_first ? 100 : 0
      max_healthy_percentage = var.replace_first ? 200 : 100
    }
  }

  tag {
    key                 = "Name"
    value               = var.name
    propagate_at_launch = true
  }

  # A machine that starts before it may read its secrets only waits and tries again, but there is no need for it.
  depends_on = [aws_iam_role_policy.this]
}
