// What the API server's Pod Security admission would say of pods, without an API server.
//
// Standard input holds a JSON list of pods: {"name", "level", "metadata", "spec"}, where the level is the one that
// the pod's namespace enforces. Standard output gets a list as long: {"name", "refused"}, where `refused` names
// every rule that is broken and is empty for a pod that is admitted. The rules are those of the newest version that
// the module knows, as a namespace without a version label gets them.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

type asked struct {
	Name     string            `json:"name"`
	Level    string            `json:"level"`
	Metadata metav1.ObjectMeta `json:"metadata"`
	Spec     corev1.PodSpec    `json:"spec"`
}

type answer struct {
	Name    string   `json:"name"`
	Refused []string `json:"refused"`
}

func main() {
	log.SetFlags(0)
	var pods []asked
	if err := json.NewDecoder(os.Stdin).Decode(&pods); err != nil {
		log.Fatalf("standard input is no list of pods: %v", err)
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		log.Fatal(err)
	}
	answers := make([]answer, 0, len(pods))
	for _, pod := range pods {
		level, err := api.ParseLevel(pod.Level)
		if err != nil {
			log.Fatalf("%s: %v", pod.Name, err)
		}
		rules := api.LevelVersion{Level: level, Version: api.LatestVersion()}
		refused := []string{}
		for _, result := range evaluator.EvaluatePod(rules, &pod.Metadata, &pod.Spec) {
			if !result.Allowed {
				refused = append(refused, fmt.Sprintf("%s (%s)", result.ForbiddenReason, result.ForbiddenDetail))
			}
		}
		answers = append(answers, answer{pod.Name, refused})
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		log.Fatal(err)
	}
}
