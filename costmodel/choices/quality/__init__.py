"""Quality from the task and the model: families of tasks, capability of models, what to expect.

It may import laws, facts and core."""
