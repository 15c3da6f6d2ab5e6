"""What `tatpar doctor` looks at: one subject a module, each a plain function from the patient to findings."""
