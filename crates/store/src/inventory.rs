//! Subscriptions and numbers that wait for lines.

use simurgh_app::ports::{Inventory, StockCounts, StockedSim, StoreFault};
use simurgh_vocab::identity::{Iccid, Plmn};
use simurgh_vocab::{LineId, Msisdn, ProfileId, Timestamp};

use crate::db::Row;
use crate::params;
use crate::rows::{exactly_one, read_one};
use crate::tx::{Lock, StoreTx};

const SIM: &str = "SELECT iccid, imsi, home, secrets FROM sim_stock WHERE profile_id = ?1";

impl Inventory for StoreTx<'_> {
    fn insert_sim(&mut self, sim: &StockedSim, at: Timestamp) -> Result<bool, StoreFault> {
        let sql = "INSERT INTO sim_stock (iccid, imsi, home, secrets, added_at)
                   VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
        let params = params![
            sim.iccid.as_octets(),
            sim.imsi.digits(),
            sim.home.as_octets(),
            &sim.sealed,
            at,
        ];
        Ok(self.execute(sql, &params)? == 1)
    }

    fn take_sim(&mut self, profile: ProfileId) -> Result<Option<StockedSim>, StoreFault> {
        self.locks(Lock::Stock, b"sim")?;
        if let Some(sim) = self.sim_of(profile)? {
            return Ok(Some(sim));
        }
        let sql = "SELECT iccid, imsi, home, secrets FROM sim_stock WHERE profile_id IS NULL
                   ORDER BY iccid LIMIT 1";
        let Some(sim) = read_one(self.query_one_or_none_locked(sql, &[])?, read)? else {
            return Ok(None);
        };
        let sql = "UPDATE sim_stock SET profile_id = ?2 WHERE iccid = ?1 AND profile_id IS NULL";
        let taken = self.execute(sql, &params![sim.iccid.as_octets(), profile])?;
        exactly_one(taken, "free subscription")?;
        Ok(Some(sim))
    }

    fn sim_of(&mut self, profile: ProfileId) -> Result<Option<StockedSim>, StoreFault> {
        read_one(self.query_one_or_none(SIM, &params![profile])?, read)
    }

    fn insert_number(&mut self, number: &Msisdn, at: Timestamp) -> Result<bool, StoreFault> {
        let sql = "INSERT INTO number_stock (msisdn, added_at) VALUES (?1, ?2)
                   ON CONFLICT (msisdn) DO NOTHING";
        Ok(self.execute(sql, &params![number, at])? == 1)
    }

    fn take_number(&mut self, line: LineId) -> Result<Option<Msisdn>, StoreFault> {
        self.locks(Lock::Stock, b"number")?;
        if let Some(number) = self.number_of(line)? {
            return Ok(Some(number));
        }
        let sql = "SELECT msisdn FROM number_stock WHERE line_id IS NULL ORDER BY msisdn LIMIT 1";
        let row = self.query_one_or_none_locked(sql, &[])?;
        let Some(number) = read_one(row, Row::parsed::<Msisdn>)? else {
            return Ok(None);
        };
        let sql = "UPDATE number_stock SET line_id = ?2 WHERE msisdn = ?1 AND line_id IS NULL";
        exactly_one(self.execute(sql, &params![&number, line])?, "free number")?;
        Ok(Some(number))
    }

    fn number_of(&mut self, line: LineId) -> Result<Option<Msisdn>, StoreFault> {
        let sql = "SELECT msisdn FROM number_stock WHERE line_id = ?1 ORDER BY msisdn LIMIT 1";
        read_one(self.query_one_or_none(sql, &params![line])?, Row::parsed)
    }

    fn line_of_number(&mut self, number: &Msisdn) -> Result<Option<LineId>, StoreFault> {
        let sql = "SELECT line_id FROM number_stock WHERE msisdn = ?1";
        let line = read_one(self.query_one_or_none(sql, &params![number])?, Row::opt_id)?;
        Ok(line.flatten())
    }

    fn stock_counts(&mut self) -> Result<StockCounts, StoreFault> {
        let mut count =
            |sql: &str| -> Result<u64, StoreFault> { self.query_one(sql, &[])?.number() };
        Ok(StockCounts {
            sims_free: count("SELECT COUNT(*) FROM sim_stock WHERE profile_id IS NULL")?,
            sims_taken: count("SELECT COUNT(*) FROM sim_stock WHERE profile_id IS NOT NULL")?,
            numbers_free: count("SELECT COUNT(*) FROM number_stock WHERE line_id IS NULL")?,
            numbers_taken: count("SELECT COUNT(*) FROM number_stock WHERE line_id IS NOT NULL")?,
        })
    }
}

fn read(row: &mut Row) -> Result<StockedSim, StoreFault> {
    Ok(StockedSim {
        iccid: Iccid::from_octets(row.bytes()?).map_err(|_| row.behind("no ICCID"))?,
        imsi: row.parsed()?,
        home: Plmn::from_octets(row.bytes()?),
        sealed: row.blob()?,
    })
}
