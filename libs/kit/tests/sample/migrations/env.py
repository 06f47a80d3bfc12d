from kit.db import migrate

migrate.run()
