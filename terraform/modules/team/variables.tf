variable "name" {
  description = "What the team is called: the name of its project, and of its cluster if that has no other."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$", var.name))
    error_message = "name must be 1 to 40 lower-case letters, digits and hyphens, beginning with a letter: the host name of the cluster is made of it."
  }
}

variable "organization" {
  description = "The id of the organization, org_…; left out: the one that the API key is of."
  type        = string
  default     = null
}

variable "cluster" {
  description = "The team's cluster: its name and slug, what it may hold (limits), and whether the service refuses to delete it."
  type = object({
    name                = optional(string)
    slug                = optional(string)
    deletion_protection = optional(bool, true)
    limits = optional(object({
      partitions               = optional(number)
      topics                   = optional(number)
      groups                   = optional(number)
      connections              = optional(number)
      storage_bytes            = optional(number)
      ingress_bytes_per_second = optional(number)
      egress_bytes_per_second  = optional(number)
    }))
  })
  default = {}

  validation {
    condition     = var.cluster.slug == null || can(regex("^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", var.cluster.slug))
    error_message = "cluster.slug must be a DNS label: 1 to 63 lower-case letters, digits and hyphens, beginning with a letter."
  }

  validation {
    condition     = var.cluster.limits == null || alltrue([for limit in values(coalesce(var.cluster.limits, {})) : limit == null || try(limit >= 1, false)])
    error_message = "Each of cluster.limits must be 1 or more; leave out what the service shall decide."
  }
}

variable "topics" {
  description = "The team's topics, by name: partitions, configs by Kafka's names, and whether Terraform refuses to delete them."
  type = map(object({
    partitions          = optional(number)
    configs             = optional(map(string), {})
    deletion_protection = optional(bool, true)
  }))
  default = {}

  validation {
    condition     = alltrue([for name in keys(var.topics) : can(regex("^[A-Za-z0-9._-]{1,249}$", name)) && !contains([".", ".."], name) && !startswith(name, "__")])
    error_message = "The name of a topic must be 1 to 249 letters, digits, \".\", \"_\" and \"-\", and must not begin with \"__\", which is the service's own."
  }

  validation {
    condition     = alltrue([for topic in values(var.topics) : topic.partitions == null || try(topic.partitions >= 1 && floor(topic.partitions) == topic.partitions, false)])
    error_message = "partitions of a topic must be a whole number of 1 or more."
  }

  validation {
    condition     = length(distinct([for name in keys(var.topics) : replace(name, ".", "_")])) == length(var.topics)
    error_message = "Two topics differ in \".\" and \"_\" only, which Kafka's metrics cannot tell apart."
  }
}

variable "programs" {
  description = "The team's programs, by name. Each gets a service account, and ACLs for what it produces to and consumes from: a topic of the team, or every one that begins so (\"orders.*\"). It may use the groups, and transactional ids if it is transactional, that begin with its own name, and those in groups. For each of password_versions it also gets a SCRAM credential: one, or two while it changes over."
  type = map(object({
    description       = optional(string, "")
    produces          = optional(set(string), [])
    consumes          = optional(set(string), [])
    groups            = optional(set(string), [])
    transactional     = optional(bool, false)
    password_versions = optional(set(number), [])
    quota = optional(object({
      producer_byte_rate = optional(number)
      consumer_byte_rate = optional(number)
      request_percentage = optional(number)
    }))
  }))
  default = {}

  validation {
    condition     = alltrue([for name in keys(var.programs) : can(regex("^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$", name))])
    error_message = "The name of a program must be 1 to 40 lower-case letters, digits and hyphens, beginning with a letter: its groups begin with it."
  }

  validation {
    condition = alltrue(flatten([
      for program in values(var.programs) : [
        for topic in setunion(program.produces, program.consumes) : contains(keys(var.topics), topic) || endswith(topic, "*")
      ]
    ]))
    error_message = "A program produces to or consumes from a topic that is not in topics. Name one that is, or all that begin so, as in \"orders.*\"."
  }

  validation {
    condition = alltrue(flatten([
      for program in values(var.programs) : [
        for pattern in setunion(program.produces, program.consumes, program.groups) : can(regex("^[A-Za-z0-9._-]+\\*?$", pattern))
      ]
    ]))
    error_message = "A name in produces, consumes or groups must have letters, digits, \".\", \"_\" and \"-\", and \"*\" at its end only; \"*\" alone would be everything."
  }

  validation {
    condition     = alltrue([for program in values(var.programs) : length(program.groups) == 0 || length(program.consumes) > 0])
    error_message = "A program has groups and consumes nothing: say what it consumes, or leave groups out."
  }

  validation {
    condition     = alltrue([for program in values(var.programs) : !program.transactional || length(program.produces) > 0])
    error_message = "A program is transactional and produces nothing: say what it produces, or leave transactional out."
  }

  validation {
    condition = alltrue([
      for program in values(var.programs) : length(program.password_versions) <= 2 && alltrue([
        for version in program.password_versions : try(version >= 1 && floor(version) == version, false)
      ])
    ])
    error_message = "password_versions must be one whole number of 1 or more, or two while a program changes over."
  }

  validation {
    condition = alltrue(flatten([
      for program in values(var.programs) : program.quota == null ? [] : [
        for rate in values(program.quota) : rate == null || try(rate > 0, false)
      ]
    ]))
    error_message = "A quota must be more than 0: it is bytes a second, or percent of one processor's time."
  }

  validation {
    condition     = alltrue([for program in values(var.programs) : program.quota == null || anytrue([for rate in values(coalesce(program.quota, {})) : rate != null])])
    error_message = "A program's quota limits nothing: give a rate, or leave it out."
  }
}

variable "passwords" {
  description = "The password of each of a program's password_versions, by program and version: out of the secret store that the programs read them from. Ephemeral: in no plan and no state."
  type        = map(map(string))
  default     = {}
  ephemeral   = true
}

variable "members" {
  description = "Who of the organization's people works on the project: the role (admin, operator, developer, viewer) by the id per_…."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for role in values(var.members) : contains(["admin", "operator", "developer", "viewer"], role)])
    error_message = "The role of a member must be admin, operator, developer or viewer."
  }

  validation {
    condition     = alltrue([for id in keys(var.members) : startswith(id, "per_")])
    error_message = "Members are named by their ids, per_…: `firn_invitation` invites those who have none yet."
  }
}

variable "default_quota" {
  description = "What each program and user may that has no quota of its own: bytes a second at one broker, percent of one processor's time."
  type = object({
    producer_byte_rate = optional(number)
    consumer_byte_rate = optional(number)
    request_percentage = optional(number)
  })
  default = null

  validation {
    condition     = var.default_quota == null || anytrue([for rate in values(coalesce(var.default_quota, {})) : rate != null])
    error_message = "default_quota limits nothing: give a rate, or leave it out."
  }
}
