{{/* The release's name, short enough for what is put behind it. */}}
{{- define "mzsr.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "mzsr.run" -}}
{{- .Values.run.name | default .Release.Name -}}
{{- end -}}

{{/* Labels that never change: selectors. Call with (list $ "component"). */}}
{{- define "mzsr.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "mzsr.labels" -}}
{{- $root := index . 0 -}}
{{ include "mzsr.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | quote }}
{{- end -}}

{{/* Call with (list $ "repository"). */}}
{{- define "mzsr.image" -}}
{{- $root := index . 0 -}}
{{- with $root.Values.image.registry }}{{ . | trimSuffix "/" }}/{{ end -}}
{{ index . 1 }}:{{ $root.Values.image.tag | default $root.Chart.AppVersion }}
{{- end -}}

{{- define "mzsr.secret" -}}
{{- .Values.auth.existingSecret | default (printf "%s-auth" (include "mzsr.name" .)) -}}
{{- end -}}

{{/* Nobody in particular, with nothing to write to but its volumes. */}}
{{- define "mzsr.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "mzsr.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* What the coordinator's volume is. */}}
{{- define "mzsr.claim" -}}
accessModes: [ReadWriteOnce]
{{- with .Values.coordinator.storage.className }}
storageClassName: {{ . }}
{{- end }}
resources:
  requests: { storage: {{ .Values.coordinator.storage.size }} }
{{- end -}}

{{- define "mzsr.placement" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* What monitors show. */}}
{{- define "mzsr.authorization" -}}
{{- if .Values.auth.http }}
authorization:
  credentials: { name: {{ include "mzsr.secret" . }}, key: http-token }
{{- end }}
{{- end -}}

{{/* The token, and how to reach NATS, as both halves read it from the environment. */}}
{{- define "mzsr.environment" -}}
- name: MZSR_TOKEN
  valueFrom: { secretKeyRef: { name: {{ include "mzsr.secret" . }}, key: token } }
{{- if .Values.auth.http }}
- name: MZSR_HTTP_TOKEN
  valueFrom: { secretKeyRef: { name: {{ include "mzsr.secret" . }}, key: http-token } }
{{- end }}
{{- if .Values.nats.enabled }}
- name: MZSR_NATS
  value: nats://{{ include "mzsr.name" . }}-nats:4222
- name: MZSR_NATS_USER
  value: mzsr
- name: MZSR_NATS_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ include "mzsr.secret" . }}, key: nats-password } }
{{- else if .Values.nats.external.servers }}
- name: MZSR_NATS
  value: {{ .Values.nats.external.servers | quote }}
{{- with .Values.nats.external.secret }}
{{- $secret := . }}
{{- range $key := list "user" "password" "token" }}
- name: MZSR_NATS_{{ upper $key }}
  valueFrom: { secretKeyRef: { name: {{ $secret }}, key: {{ $key }}, optional: true } }
{{- end }}
{{- end }}
{{- range $what, $key := .Values.nats.external.files }}
- name: MZSR_NATS_{{ upper $what }}_FILE
  value: /nats/{{ $key }}
{{- end }}
{{- end }}
{{- end -}}
