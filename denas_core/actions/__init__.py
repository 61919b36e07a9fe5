"""What the commands train, race, evaluate, export and predict do, as functions that Python calls, too."""
