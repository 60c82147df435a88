{{- define "firn.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "firn.selector" -}}
app.kubernetes.io/name: firn
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "firn.labels" -}}
{{ include "firn.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "firn.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* Nobody in particular, who may write nowhere but into volumes. */}}
{{- define "firn.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "firn.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/*
firn takes the master key only from a file that nobody but its user can read, and Kubernetes gives files of a secret to the pod's group,
too. So the key is copied, into memory.
*/}}
{{- define "firn.masterKeyContainer" -}}
- name: master-key
  image: {{ include "firn.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [install, -m, "0600", /secrets/master-key/master-key, /run/firn/master.key]
  securityContext:
    {{- include "firn.containerSecurity" . | nindent 4 }}
  resources:
    requests: { cpu: 10m, memory: 16Mi }
    limits: { memory: 32Mi }
  volumeMounts:
    - { name: master-key, mountPath: /secrets/master-key, readOnly: true }
    - { name: run, mountPath: /run/firn }
{{- end -}}

{{- define "firn.volumes" -}}
- name: master-key
  secret:
    secretName: {{ .Values.masterKey.existingSecret | quote }}
    defaultMode: 0440
    items:
      - { key: {{ .Values.masterKey.key | quote }}, path: master-key }
- name: run
  emptyDir: { medium: Memory, sizeLimit: 1Mi }
- name: tmp
  emptyDir: { sizeLimit: 64Mi }
{{- with .Values.catalog.caConfigMap }}
- name: catalog-ca
  configMap:
    name: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "firn.volumeMounts" -}}
- { name: run, mountPath: /run/firn }
- { name: tmp, mountPath: /tmp }
{{- if .Values.catalog.caConfigMap }}
- { name: catalog-ca, mountPath: /etc/firn/catalog-ca, readOnly: true }
{{- end }}
{{- end -}}

{{/* Settings that somebody gives by name. values.schema.json refuses those that are set here already. */}}
{{- define "firn.settings" -}}
{{- range $name, $value := . }}
- name: FIRN_{{ $name | replace "-" "_" | upper }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- define "firn.environment" -}}
- name: FIRN_CATALOG
  valueFrom:
    secretKeyRef: { name: {{ .Values.catalog.existingSecret | quote }}, key: {{ .Values.catalog.key | quote }} }
- { name: FIRN_MASTER_KEY, value: /run/firn/master.key }
- { name: FIRN_HTTP, value: "0.0.0.0:8080" }
- { name: FIRN_ADVERTISE, value: "{{ .Values.kafka.domain }}:{{ .Values.kafka.port }}" }
- { name: FIRN_CELL_DOMAIN, value: {{ .Values.kafka.domain | quote }} }
- { name: FIRN_LOG_FORMAT, value: json }
{{- end -}}

{{- define "firn.probes" -}}
startupProbe:
  httpGet: { path: /healthz, port: http }
  periodSeconds: 2
  failureThreshold: 90
livenessProbe:
  httpGet: { path: /healthz, port: http }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /readyz, port: http }
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
{{- end -}}

{{- define "firn.scheduling" -}}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end -}}
