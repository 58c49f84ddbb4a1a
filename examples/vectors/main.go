// SPDX-License-Identifier: Apache-2.0

// Vectors finds recipes by meaning: a typed vector index, searches within one kitchen and with filters, the error of a write with a wrong vector, and the differences
// between distances. The embeddings are counts of words here; a real program uses those of a model. It runs on the embedded engine, or on the endpoint in DYNAMODB_ENDPOINT:
//
//	go run ./examples/vectors
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/vector"
)

// Recipe is an item with the vector of its text.
type Recipe struct {
	Kitchen string    `dynamodbav:"kitchen"`
	Name    string    `dynamodbav:"name"`
	Diet    string    `dynamodbav:"diet"`
	Text    string    `dynamodbav:"text"`
	Meaning []float32 `dynamodbav:"meaning,omitempty"`
}

var (
	recipeKitchen = ddb.StrField(func(r *Recipe) *string { return &r.Kitchen })
	recipeName    = ddb.StrField(func(r *Recipe) *string { return &r.Name })
	recipeDiet    = ddb.StrField(func(r *Recipe) *string { return &r.Diet })
	recipeMeaning = ddb.ListField(func(r *Recipe) *[]float32 { return &r.Meaning })
)

// words are the dimensions of the vectors.
var words = []string{"rice", "lentil", "fish", "lemon", "chili", "bread", "cheese", "tomato"}

// embed counts the words of a text, in place of a model.
func embed(text string) []float32 {
	v := make([]float32, len(words))
	for i, w := range words {
		v[i] = float32(strings.Count(text, w))
	}
	return v
}

func main() {
	log.SetFlags(0)
	client, stop := ddbtest.Open()
	err := run(context.Background(), client)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, client ddb.Client) error {
	recipes, err := ddb.New(client, "recipes", recipeKitchen, recipeName)
	if err != nil {
		return err
	}
	inKitchen, err1 := vector.New(recipes, "in-kitchen", recipeMeaning, len(words), schema.Cosine, recipeKitchen, vector.Filters(recipeDiet))
	everywhere, err2 := vector.NewSimple(recipes, "everywhere", recipeMeaning, len(words), schema.DotProduct, ddb.KeysOnly())
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if err := recipes.EnsureTable(ctx); err != nil {
		return err
	}
	list := []Recipe{
		{Kitchen: "india", Name: "dal", Diet: "vegan", Text: "lentil chili lentil rice"},
		{Kitchen: "india", Name: "fish curry", Diet: "fish", Text: "fish chili rice"},
		{Kitchen: "india", Name: "lemon rice", Diet: "vegan", Text: "rice, lemon, rice and more rice"},
		{Kitchen: "italy", Name: "risotto", Diet: "vegetarian", Text: "rice cheese lemon"},
		{Kitchen: "italy", Name: "pizza", Diet: "vegetarian", Text: "bread cheese tomato"},
	}
	for i := range list {
		list[i].Meaning = embed(list[i].Text)
	}
	if err := recipes.BatchPut(ctx, list); err != nil {
		return err
	}

	fmt.Println("rice with lemon, from India:")
	hits, err := inKitchen.Search(ctx, "india", embed("rice lemon"), 2)
	if err != nil {
		return err
	}
	for _, h := range hits {
		fmt.Printf("  %.3f %s: %s\n", h.Score, h.Item.Name, h.Item.Text)
	}

	fmt.Println("the same, with fish:")
	hits, err = inKitchen.Search(ctx, "india", embed("rice lemon"), 2, recipeDiet.Eq("fish"))
	if err != nil {
		return err
	}
	for _, h := range hits {
		fmt.Printf("  %.3f %s\n", h.Score, h.Item.Name)
	}

	// The index of all kitchens holds only keys: the whole items are read from the table.
	fmt.Println("rice with lemon, from anywhere:")
	hits, err = everywhere.Search(ctx, embed("rice lemon"), 2)
	if err != nil {
		return err
	}
	keys := make([]ddb.Key[string, string], len(hits))
	for i := range hits {
		keys[i] = recipes.KeyOf(&hits[i].Item)
	}
	whole, err := recipes.BatchGet(ctx, keys)
	if err != nil {
		return err
	}
	for i, got := range whole {
		if got.Found { // it may have been deleted since the index was updated
			fmt.Printf("  %.0f %s from %s\n", hits[i].Score, got.Item.Name, got.Item.Kitchen)
		}
	}

	fmt.Println("a vector of another model:")
	_, err = recipes.Update(ctx, recipes.Key("india", "dal"), recipeMeaning.Set([]float32{1, 2, 3}))
	fmt.Println(" ", errors.Is(err, ddb.ErrInvalid), err)
	return nil
}
