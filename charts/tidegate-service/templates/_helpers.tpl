{{/* The release's name is the full name: objects are <release>-web, <release>-worker, ... */}}
{{- define "tidegate.fullname" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "tidegate.image" -}}
{{- printf "%s:%s" .Values.image.repository .Values.image.tag -}}
{{- end -}}

{{/* Labels by which all pods of this release are found. Network policies elsewhere select on the first. */}}
{{- define "tidegate.releaseLabels" -}}
app.kubernetes.io/name: tidegate
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels by which the pods of one component are found. Call with (dict "root" $ "component" "web"). */}}
{{- define "tidegate.selectorLabels" -}}
{{ include "tidegate.releaseLabels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "tidegate.labels" -}}
{{ include "tidegate.selectorLabels" . }}
app.kubernetes.io/part-of: tidegate
app.kubernetes.io/version: {{ .root.Values.image.tag | trunc 63 | trimSuffix "-" | trimSuffix "." | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{/* What every pod of the release has in common. No token: nothing here talks to the API server. */}}
{{- define "tidegate.pod" -}}
serviceAccountName: {{ include "tidegate.fullname" .root }}-{{ .component }}
automountServiceAccountToken: false
# Without this every Service's address would be put into the environment, under the service's own prefix.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: tmp
    emptyDir:
      sizeLimit: 64Mi
{{- end -}}

{{/* What every container of the release has in common. */}}
{{- define "tidegate.container" -}}
image: {{ include "tidegate.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
volumeMounts:
  - name: tmp
    mountPath: /tmp
{{- end -}}

{{- define "tidegate.databaseEnv" -}}
- name: TIDEGATE_ENVIRONMENT
  value: {{ .Values.environment }}
- name: TIDEGATE_DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.database.existingSecret }}
      key: {{ .Values.database.urlKey }}
- name: TIDEGATE_POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: TIDEGATE_NODE_NAME
  valueFrom:
    fieldRef:
      fieldPath: spec.nodeName
{{- end -}}

{{- define "tidegate.env" -}}
{{ include "tidegate.databaseEnv" . }}
- name: TIDEGATE_REDIS_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.redis.existingSecret }}
      key: {{ .Values.redis.urlKey }}
- name: TIDEGATE_FRAUD_WEIGHT
  value: {{ .Values.web.fraudWeight | quote }}
- name: TIDEGATE_DB_POOL_SIZE
  value: {{ .Values.web.dbPoolSize | quote }}
{{- if .Values.tracing.endpoint }}
- name: TIDEGATE_OTLP_ENDPOINT
  value: {{ .Values.tracing.endpoint | quote }}
- name: OTEL_TRACES_SAMPLER
  value: parentbased_traceidratio
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ .Values.tracing.sampleRatio | quote }}
{{- end }}
{{- end -}}

{{/* Port of the collector of traces, as its address says or its scheme implies. */}}
{{- define "tidegate.collectorPort" -}}
{{- $url := urlParse .Values.tracing.endpoint -}}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (ternary "443" "80" (eq $url.scheme "https")) -}}
{{- end -}}

{{/* One direction of the autoscaler's behavior. */}}
{{- define "tidegate.behavior" -}}
stabilizationWindowSeconds: {{ .stabilizationWindowSeconds }}
selectPolicy: {{ .selectPolicy }}
{{- if hasKey . "tolerance" }}
tolerance: {{ .tolerance | quote }}
{{- end }}
policies:
{{- range .policies }}
  - type: {{ .type }}
    value: {{ .value }}
    periodSeconds: {{ .periodSeconds }}
{{- end }}
{{- end -}}
