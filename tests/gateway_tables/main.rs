//! The gateway's tables on each engine, as the program meets them.

#[path = "../common/servers.rs"]
mod servers;

#[test]
fn a_database_of_its_own_is_empty_and_gone_afterwards() {
    for (make, catalogue) in [
        (servers::postgres as fn() -> servers::Database, "SELECT datname::text FROM pg_database"),
        (servers::mysql, "SELECT CONVERT(schema_name USING utf8mb4) FROM information_schema.schemata"),
    ] {
        let mut database = make();
        let (engine, name) = (database.engine, database.name.clone());
        database.execute("CREATE TABLE eb_paylog (req_obj varchar(9)); INSERT INTO eb_paylog VALUES ('x')");
        let user = database.user(&["SELECT ON eb_paylog"]);
        assert_eq!(servers::ask(&user, "SELECT req_obj FROM eb_paylog"), ["x"]);
        servers::try_execute(&user, "DELETE FROM eb_paylog").expect_err("this user only reads");
        assert!(servers::ask(&engine.server(), catalogue).contains(&name));
        drop(database);
        assert!(!servers::ask(&engine.server(), catalogue).contains(&name), "{engine:?}");
    }
}
