// The Kubernetes provider of Pulumi as a plugin, from its module: the schema that upstream's own build
// generates lies in the module too, and only its version has to be set.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

//go:embed schema-embed.json
var pulumiSchema []byte

//go:embed terraform-mapping-embed.json
var terraformMapping []byte

func main() {
	provider.Serve("kubernetes", "4.25.0", pulumiSchema, terraformMapping)
}
