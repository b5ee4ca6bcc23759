//! Whether the points are all there are: the same run is watched by strace, which counts system calls by itself.

use std::process::Command;
use std::time::Instant;

use crate::scene::Scene;
use crate::site::{NIGHT, Site};
use crate::table::Row;

/// Every call by which a file can be changed, also those that this program does not use.
const CALLS: &str = "trace=open,openat,creat,write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,sync_file_range,\
    ftruncate,truncate,fallocate,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,chmod,fchmod,fchmodat,\
    chown,fchown,link,linkat,symlink,symlinkat,copy_file_range,sendfile,splice";

pub(crate) fn against_strace(scene: &Scene) -> Row {
    const SUITE: &str = "durable calls by strace that are points, too";
    let since = Instant::now();
    let site = scene.site();
    let trace = scene.masters.scratch("strace");
    let mut plain = site.command(&NIGHT);
    let log = scene.load(&mut plain, &site);
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-s", "0", "-e", CALLS, "-o"]).arg(&trace);
    // strace itself must not be counted: the library goes to the program only.
    for (name, value) in plain.get_envs().filter_map(|(name, value)| Some((name, value?))) {
        command.arg("-E").arg(format!("{}={}", name.to_string_lossy(), value.to_string_lossy()));
    }
    command.arg(plain.get_program()).args(plain.get_args()).current_dir(site.path());
    match command.output() {
        Ok(output) if output.status.code() == Some(scene.code) => {}
        Ok(output) => {
            let why = String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned();
            return Row::not_run(SUITE, scene.engine.name(), why).excused();
        }
        Err(error) => return Row::not_run(SUITE, scene.engine.name(), format!("strace: {error}")).excused(),
    }
    let counted = durable(&std::fs::read_to_string(trace).unwrap_or_default(), &site);
    let points = crate::points::passed(&log).points.len();
    let lacking = (counted == 0 || points < counted)
        .then(|| format!("{points} points, and strace counts {counted} durable calls"));
    Row::new(SUITE, scene.engine.name(), vec![lacking], since)
        .result(format!("{} of {counted}", points.min(counted)))
        .remark(format!("{points} points"))
}

/// Lines of a trace that changed something below the site's folder.
fn durable(trace: &str, site: &Site) -> usize {
    let root = format!("{}/", site.path().display());
    let is_durable = |line: &&str| {
        let opens = line.contains(" open(") || line.contains(" openat(");
        let changes = !opens || line.contains("O_CREAT") || line.contains("O_TRUNC");
        line.contains(&root) && changes && !line.contains("resumed>")
    };
    trace.lines().filter(is_durable).count()
}
