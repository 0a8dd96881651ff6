//! A world of its own for each test, with a member of staff and a customer.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use simurgh_app::desk::{NewStaff, StaffLogIn, StaffLogInRefusal, StaffToken};
use simurgh_app::ports::{StaffAction, StaffLogFilter, StoreExt, Tx};
use simurgh_app::sales::{OrderRequest, PayRequest, PayWith};
use simurgh_app::{App, Fault};
use simurgh_commerce::{MethodKind, QuoteRequest, Start};
use simurgh_connectors::payment::sandbox::Outcome;
use simurgh_sim::{World, add_customer};
use simurgh_subscriber::Network;
use simurgh_vocab::{Currency, CustomerId, Locale, OrderId, PaymentId, StaffId};
use totp_rs::{Algorithm, Builder, Secret};

pub(crate) const NAME: &str = "li.na";
pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) staff: NewStaff,
    pub(crate) customer: CustomerId,
    folder: PathBuf,
}

impl Deref for Stage {
    type Target = App;

    fn deref(&self) -> &App {
        &self.world.app
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The folder is in the system's own for such things, should this fail.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Stage {
    pub(crate) async fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("simurgh-desk-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        // Numbers of processes come again: what a killed one left behind is not ours.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let world = World::new(&folder, 1, 0).await.unwrap();
        let customer = add_customer(&world.app, 1).await.unwrap();
        let staff = world.app.create_staff(NAME, PASSWORD).await.unwrap();
        Self {
            world,
            staff,
            customer,
            folder,
        }
    }

    /// The code that the member of staff's phone shows now.
    pub(crate) fn code(&self) -> String {
        code_of(&self.staff.totp_secret, self.now().as_unix_seconds())
    }

    pub(crate) async fn log_in(
        &self,
        name: &str,
        password: &str,
        code: &str,
    ) -> Result<StaffToken, StaffLogInRefusal> {
        self.log_in_staff(attempt(name, password, code)).await
    }

    /// The log's entries of one kind, newest first: who and why.
    pub(crate) async fn logged(&self, action: StaffAction) -> Vec<(Option<StaffId>, String)> {
        let filter = StaffLogFilter {
            action: Some(action),
            limit: 100,
            ..StaffLogFilter::default()
        };
        let found = self.read(move |tx| tx.staff_log(&filter).unwrap()).await;
        found
            .into_iter()
            .map(|entry| (entry.staff, entry.detail))
            .collect()
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&mut dyn Tx) -> T + Send + 'static,
    ) -> T {
        let read = self
            .store
            .snapshot(move |tx| -> Result<T, Fault> { Ok(work(tx)) });
        read.await.unwrap()
    }

    /// Orders a plan that starts now, and pays it.
    pub(crate) async fn bought(&self, outcome: Outcome) -> (OrderId, PaymentId) {
        let purchase = QuoteRequest {
            selection: "offer:basic-europe".parse().unwrap(),
            periods: 1,
            currency: Currency::Cny,
            start: Start::FirstUse,
            promotion_code: None,
        };
        let quote = self
            .quote(Some(self.customer), None, purchase.clone())
            .await
            .unwrap();
        let order = OrderRequest {
            id: self.make(OrderId::from_parts, self.now()),
            line: None,
            purchase,
            seen_total: quote.total,
        };
        let order = self.place_order(self.customer, order).await.unwrap().id;
        let payment = self.make(PaymentId::from_parts, self.now());
        let request = PayRequest {
            id: payment,
            order,
            with: PayWith::New {
                method: MethodKind::Card,
                store: false,
            },
            locale: Locale::En,
        };
        self.pay(self.customer, request).await.unwrap();
        self.world
            .provider
            .sandbox()
            .decide(payment, outcome)
            .unwrap();
        self.deliver().await;
        (order, payment)
    }

    /// Lets the provider's words come through, and does what is due.
    pub(crate) async fn deliver(&self) {
        for word in self.world.provider.pop_notifications() {
            let _ = self.notify_payment("sandbox", word.as_notification()).await;
        }
        while self.run_due_jobs().await.unwrap() > 0 {}
    }
}

pub(crate) fn attempt(name: &str, password: &str, code: &str) -> StaffLogIn {
    StaffLogIn {
        name: name.to_owned(),
        password: password.to_owned(),
        code: code.to_owned(),
        network: Network::of("203.0.113.9".parse().unwrap()),
        replaces: None,
    }
}

/// What an authenticator app shows at a time.
pub(crate) fn code_of(secret: &str, unix_seconds: i64) -> String {
    let totp = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(30)
        .with_secret(Secret::try_from_base32(secret).unwrap())
        .build()
        .unwrap();
    totp.generate(u64::try_from(unix_seconds).unwrap())
        .to_string()
}
